/**
 * Provider token of the `BackendClient` of `BackendModule`, for modules that do without one as well. It stands here so
 * that asking for it loads neither axios nor the rest of `backend/`.
 */
export const BACKEND_CLIENT = Symbol('signet.backend-client');
