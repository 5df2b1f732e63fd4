/** What the backend answers to a token request: claims, and whatever else is to reach the client. */
export type TokenAnswer = Record<string, unknown>;
