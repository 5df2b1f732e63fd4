/**
 * Provider token of the `BackendClient` of `BackendModule`, for modules that work without it as well. It is in this
 * file so that injecting the client loads neither axios nor the rest of `backend/`.
 */
export const BACKEND_CLIENT = Symbol('signet.backend-client');
