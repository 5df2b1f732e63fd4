/** The answer of the login service: claims in the fields that are signed, and other members for the client. */
export type TokenAnswer = Record<string, unknown>;
