export {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTH_METHODS,
  isConfidential,
  type Client,
  type ClientAuthMethod,
  type ClientRegistration,
} from './client-registration.js';
export { clientSecretHash, isClientSecret, newClientSecret } from './client-secret.js';
export { ClientsError } from './clients.error.js';
export { checkClients, parseClients } from './parse-clients.js';
