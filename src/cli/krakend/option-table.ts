/**
 * What happens to an option:
 * - `taken`: it is taken over.
 * - `none`: nothing has to be done, and nothing is reported.
 * - `differs`: without it something behaves differently.
 * - `todo`: the operator has to do something.
 * - `refused`: it may protect the route, so the route is refused until the operator decides.
 * - `leftOut`: the endpoint cannot be taken over.
 */
export type Fate = 'taken' | 'none' | 'differs' | 'todo' | 'refused' | 'leftOut';

/** Where an option is set: in an object of the configuration, in its `extra_config`, or in a component there. */
export type OptionScope =
  | 'service'
  | 'service extra_config'
  | 'endpoint'
  | 'endpoint extra_config'
  | 'backend'
  | 'backend extra_config'
  | 'auth/signer'
  | 'auth/validator'
  | 'auth/revoker'
  | 'security/cors'
  | 'qos/ratelimit/router'
  | 'router'
  | 'telemetry/logging';

/** A row of the table. The manual shows the rows, and the report uses the same words. */
export interface OptionRow {
  readonly scope: OptionScope;
  /** Name of the option. A `*` at the end matches any suffix. */
  readonly name: string;
  readonly fate: Fate;
  /** What replaces the option in Signet, or why nothing does. */
  readonly here: string;
}

const rows = (
  scope: OptionScope,
  ...list: readonly (readonly [string, Fate, string])[]
): OptionRow[] =>
  list.flatMap(([names, fate, here]) =>
    names.split(' ').map((name) => ({ scope, name, fate, here })),
  );

const KEYS = [
  ['jwk_local_path', 'taken', '`*_JWK_LOCAL_PATH`, `jwkLocalPath`'],
  ['jwk_url', 'taken', '`*_JWK_URL`, `jwkUrl`; by plain http its host is in `JWK_HTTP_HOSTS`'],
  ['disable_jwk_security', 'taken', 'not needed for files; for URLs see `jwk_url`'],
  ['secret_url cypher_key', 'taken', 'a line: encrypt the file again with `signet keys encrypt`'],
  ['cipher_suites', 'none', "Node's own list is used"],
] as const;

/** All options of the components that are taken over, and the other options that KrakenD documents. */
export const OPTION_TABLE: readonly OptionRow[] = [
  ...rows(
    'service',
    ['$schema version name', 'none', 'nothing'],
    ['port', 'taken', '`PORT`'],
    ['listen_ip address', 'taken', '`HOST`'],
    ['host', 'taken', 'host of the backends that name none'],
    ['timeout', 'taken', '`BACKEND_TIMEOUT_MS`, `timeoutMs`'],
    ['endpoints extra_config', 'taken', 'see below'],
    ['output_encoding', 'taken', '`encoding` of the routes'],
    ['cache_ttl', 'differs', 'answers are not marked as cacheable; write a header with @Header()'],
    ['tls', 'taken', 'a line: terminate TLS in front of the gateway; with `enable_mtls` all routes are refused until decided'],
    ['client_tls', 'todo', 'certificates for backends are not taken over; set NODE_EXTRA_CA_CERTS for their CA'],
    ['allow_insecure_connections', 'differs', 'certificates of backends are always verified'],
    ['async_agent', 'leftOut', 'agents that consume messages have no counterpart'],
    ['plugin', 'none', 'only loads what other options name'],
    ['debug_endpoint echo_endpoint', 'none', 'only for tests'],
    ['disable_rest disable_strict_rest sequential_start use_h2c dns_cache_ttl max_header_bytes', 'none', 'nothing'],
    ['read_timeout write_timeout idle_timeout read_header_timeout max_shutdown_wait_time', 'none', 'the server has limits of its own'],
    ['max_idle_connections max_idle_connections_per_host idle_connection_timeout response_header_timeout expect_continue_timeout dialer_timeout dialer_keep_alive dialer_fallback_delay disable_compression disable_keep_alives max_idle_conns max_idle_conns_per_host', 'none', 'connections to backends have limits of their own'],
  ),
  ...rows(
    'service extra_config',
    ['auth/validator', 'taken', '`shared_cache_duration`: `VALIDATOR_JWK_CACHE_TTL`'],
    ['auth/revoker', 'taken', '`POST /token/revoke` and `/admin/revocations`'],
    ['security/cors', 'taken', '`CORS_ORIGINS`'],
    ['router', 'taken', 'see below'],
    ['telemetry/logging', 'taken', '`LOG_LEVEL`'],
    ['auth/api-keys', 'none', 'only declares the keys that endpoints ask for'],
    ['auth/basic auth/ntlm', 'refused', 'requests had to show a password'],
    ['security/policies', 'refused', 'policies decided about requests'],
    ['plugin/http-server', 'refused', 'a plugin may decide about requests'],
    ['validation/cel', 'refused', 'expressions decided about requests'],
    ['security/bot-detector', 'differs', 'agents are not told apart; do it in front of the gateway'],
    ['security/http', 'differs', 'headers and allowed hosts of browsers are not taken over; set them in front of the gateway'],
    ['qos/ratelimit/service', 'differs', 'requests of the whole service are not limited; THROTTLE_LIMIT is per client address'],
    ['qos/ratelimit/tiered governance/quota', 'differs', 'quotas are not taken over'],
    ['telemetry/metrics telemetry/influx telemetry/opencensus telemetry/newrelic telemetry/ganalytics telemetry/moesif', 'todo', 'metrics are at MANAGEMENT_PORT, in the format of Prometheus'],
    ['telemetry/opentelemetry telemetry/opentelemetry-security', 'todo', 'traces go where OTEL_EXPORTER_OTLP_ENDPOINT says'],
    ['telemetry/gelf telemetry/logstash', 'todo', 'the log is on standard output, as JSON'],
    ['telemetry/*', 'todo', 'metrics are at MANAGEMENT_PORT, the log is on standard output'],
    ['server/static-filesystem server/virtualhost server/redirect', 'leftOut', 'files, redirects and virtual hosts belong in front of the gateway'],
    ['documentation/openapi documentation/*', 'none', '`/docs`'],
    ['redis async/amqp governance/processors', 'none', 'used by other components only'],
    ['grpc ai/*', 'leftOut', 'it serves no HTTP endpoints'],
    ['modifier/response-headers', 'differs', 'headers are not changed; use @Header()'],
    ['modifier/lua-endpoint modifier/lua-proxy', 'refused', 'a script may decide about requests'],
  ),
  ...rows(
    'endpoint',
    ['endpoint method backend extra_config', 'taken', 'a controller; `POST /token` and `GET /private/custom` are there'],
    ['input_headers headers_to_pass', 'taken', '`inputHeaders`; `Authorization` is `forwardToken`'],
    ['input_query_strings querystring_params', 'taken', '`inputQueryStrings`'],
    ['timeout', 'taken', '`timeoutMs`'],
    ['output_encoding', 'taken', '`encoding`'],
    ['cache_ttl', 'differs', 'answers are not marked as cacheable; write a header with @Header()'],
    ['concurrent_calls', 'differs', 'the backend is asked once, not several times at once'],
  ),
  ...rows(
    'endpoint extra_config',
    ['auth/signer', 'taken', '`@SignFields`'],
    ['auth/validator', 'taken', '`@RequireJwt`'],
    ['validation/cel', 'taken', '`validate` of `@RequireJwt` for the common forms on `JWT`; else refused until decided'],
    ['security/policies', 'taken', 'as `validation/cel`, for policies of `jwt` alone'],
    ['qos/ratelimit/router', 'taken', '`@Throttled`'],
    ['auth/api-keys', 'refused', 'requests had to show an API key'],
    ['auth/basic', 'refused', 'requests had to show a password'],
    ['plugin/*', 'refused', 'a plugin may decide about requests'],
    ['modifier/lua-*', 'refused', 'a script may decide about requests'],
    ['validation/json-schema validation/response-json-schema', 'refused', 'bodies were checked; use a class with class-validator'],
    ['security/bot-detector', 'differs', 'agents are not told apart; do it in front of the gateway'],
    ['security/cors security/http', 'none', 'KrakenD looks for it at the service only'],
    ['qos/ratelimit/tiered governance/quota', 'differs', 'quotas are not taken over'],
    ['qos/http-cache', 'differs', 'answers of the backend are not cached'],
    ['proxy', 'differs', 'sequences, static answers and shadow traffic are not taken over'],
    ['modifier/response-body-generator modifier/response-body modifier/jmespath modifier/response-headers modifier/request-body-generator modifier/body-generator modifier/martian', 'differs', 'bodies and headers are not changed; do it in the controller'],
    ['documentation/* telemetry/*', 'none', '`/docs`, `/metrics`'],
    ['websocket workflow ai/* server/*', 'leftOut', 'it is no request that is passed on as it is'],
  ),
  ...rows(
    'backend',
    ['host url_pattern method extra_config', 'taken', '`BackendModule`, `path`, `method`'],
    ['encoding', 'taken', '`encoding`'],
    ['allow deny whitelist blacklist', 'refused', 'fields of the answer were hidden; choose them in the controller'],
    ['target', 'refused', 'only a part of the answer was shown; choose it in the controller'],
    ['mapping group is_collection', 'differs', 'the answer is not reshaped; do it in the controller'],
    ['sd sd_scheme', 'taken', 'a line where hosts are found by DNS SRV'],
    ['input_headers input_query_strings', 'differs', 'the lists of the endpoint hold for the backend, too'],
    ['disable_host_sanitize', 'none', 'nothing'],
  ),
  ...rows(
    'backend extra_config',
    ['validation/cel', 'taken', 'as at the endpoint'],
    ['security/policies', 'refused', 'policies decided about requests or answers'],
    ['plugin/*', 'refused', 'a plugin may decide about requests'],
    ['modifier/lua-*', 'refused', 'a script may decide about requests'],
    ['validation/json-schema validation/response-json-schema', 'refused', 'bodies were checked; use a class with class-validator'],
    ['auth/client-credentials auth/gcp auth/aws-sigv4 auth/ntlm auth/basic auth/api-keys auth/azure*', 'todo', 'the backend asks the gateway for credentials: set them with an interceptor of HttpService (docs/library.md)'],
    ['qos/ratelimit/proxy qos/http-cache', 'differs', 'calls to the backend are neither limited nor cached'],
    ['qos/circuit-breaker', 'none', 'there always is one: `breaker`'],
    ['proxy', 'differs', 'sequences, static answers and shadow traffic are not taken over'],
    ['modifier/martian modifier/jmespath modifier/body-generator modifier/request-body-generator modifier/response-body-generator modifier/response-body modifier/response-headers', 'differs', 'bodies and headers are not changed; do it in the controller'],
    ['backend/http', 'taken', '`return_error_code` and `return_error_details`: refusals of the backend reach the client as they are'],
    ['backend/http/client', 'todo', 'settings of the connection are not taken over'],
    ['backend/* ai/* workflow async/*', 'leftOut', 'the backend does not speak plain HTTP'],
    ['telemetry/*', 'none', '`/metrics`'],
  ),
  ...rows(
    'auth/signer',
    ['alg kid keys_to_sign typ full', 'taken', '`SIGNER_*`, `@SignFields`'],
    ['leeway', 'none', 'it never had an effect'],
    ['jwk_fingerprints jwk_local_ca', 'differs', 'pins and CA of the signing keys are not taken over; prefer a file'],
    ...KEYS,
  ),
  ...rows(
    'auth/validator',
    ['alg', 'taken', '`VALIDATOR_ALG`, `algorithms`'],
    ['issuer', 'taken', '`VALIDATOR_ISSUER`, `issuer`; where none was checked, a guess from `jwk_url`'],
    ['audience', 'taken', '`VALIDATOR_AUDIENCE`, `audience`, `audienceMatcher`; where none was checked, `unchecked`'],
    ['roles roles_key roles_key_is_nested', 'taken', '`roles`, `rolesKey`, `rolesKeyIsNested`'],
    ['scopes scopes_key scopes_matcher', 'taken', '`scopes`, `scopesKey`, `scopesMatcher`'],
    ['propagate_claims', 'taken', '`propagateClaims` with `propagateEncoding: utf8`'],
    ['propagate_claims_preserve_array', 'taken', '`propagateLists`'],
    ['auth_header_name cookie_key', 'taken', '`authHeaderName`, `cookieKey`'],
    ['leeway', 'taken', '`VALIDATOR_LEEWAY`, `leeway`'],
    ['key_identify_strategy', 'taken', '`VALIDATOR_KEY_IDENTIFY_STRATEGY`, `identifyStrategy`'],
    ['cache', 'none', 'key sets are always cached'],
    ['cache_duration', 'taken', '`VALIDATOR_JWK_CACHE_TTL`, `cacheTtl`'],
    ['shared_cache_duration', 'taken', 'as `cache_duration`, where that is not set'],
    ['failed_jwk_key_cooldown', 'taken', '`VALIDATOR_JWK_COOLDOWN`, `cooldown`'],
    ['jwk_fingerprints', 'taken', '`VALIDATOR_JWK_FINGERPRINTS`, `fingerprints` with `fingerprintsMatch: chain`'],
    ['jwk_local_ca', 'taken', '`VALIDATOR_JWK_LOCAL_CA`, `ca`'],
    ['operation_debug', 'none', 'refusals are always in the log'],
    ...KEYS,
  ),
  ...rows(
    'auth/revoker',
    ['N P hash_name', 'none', 'there is no Bloom filter'],
    ['TTL', 'none', 'a revocation lasts as long as its tokens'],
    ['port', 'none', 'revocations are made over HTTP'],
    ['token_keys', 'taken', '`jti`, `sub`, `sid`, `kid` of `POST /admin/revocations`'],
    ['revoke_server_ping_url revoke_server_ping_interval revoke_server_api_key revoke_server_max_workers revoke_server_max_retries', 'none', 'nodes share `STATE_STORE`'],
  ),
  ...rows(
    'security/cors',
    ['allow_origins', 'taken', '`CORS_ORIGINS`'],
    ['allow_methods allow_headers expose_headers max_age debug options_passthrough options_success_status allow_private_network', 'none', 'the gateway answers for its routes'],
    ['allow_credentials', 'taken', 'a line where it stands beside `*`, which never goes with cookies'],
  ),
  ...rows(
    'qos/ratelimit/router',
    ['client_max_rate', 'taken', '`@Throttled`, of `POST /token` `THROTTLE_LIMIT`'],
    ['every', 'taken', '`ttlMs` of `@Throttled`, `THROTTLE_TTL_MS`'],
    ['strategy key', 'taken', 'by address only; a line where clients were told apart by a header or parameter'],
    ['max_rate', 'differs', 'requests of all clients together are not limited'],
    ['capacity client_capacity cleanup_period cleanup_threads num_shards', 'none', 'windows are fixed'],
  ),
  ...rows(
    'router',
    ['trusted_proxies', 'taken', '`TRUST_PROXY`'],
    ['forwarded_by_client_ip remote_ip_headers app_engine', 'differs', 'the address of a client comes from X-Forwarded-For, as TRUST_PROXY says'],
    ['return_error_msg error_body disable_access_log disable_gzip disable_health disable_path_decoding disable_redirect_fixed_path disable_redirect_trailing_slash disable_handle_method_not_allowed health_path hide_version_header logger_skip_paths max_multipart_memory max_payload auto_options remove_extra_slash enable_metrics_exporter route_middleware use_h2c access_log_format', 'none', 'nothing'],
  ),
  ...rows(
    'telemetry/logging',
    ['level', 'taken', '`LOG_LEVEL`'],
    ['prefix stdout syslog syslog_facility format custom_format access_log_format backtrace_level', 'none', 'the log is on standard output'],
  ),
]; // prettier-ignore

const TABLE: ReadonlyMap<OptionScope, readonly OptionRow[]> = Map.groupBy(
  OPTION_TABLE,
  ({ scope }) => scope,
);

/** Returns the row of an option; `undefined` for an option that KrakenD does not document. */
export const optionRow = (scope: OptionScope, name: string): OptionRow | undefined =>
  TABLE.get(scope)?.find((row) => matches(row, name));

/** A row with a `*` comes after the more specific rows, since the first match counts. */
function matches({ name: pattern }: OptionRow, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** Names of components in version 2, below `github.com/devopsfaith/`, with their current names. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  'krakend-jose/signer': 'auth/signer',
  'krakend-jose/validator': 'auth/validator',
  bloomfilter: 'auth/revoker',
  'krakend-cors': 'security/cors',
  'krakend-httpsecure': 'security/http',
  'krakend-botdetector': 'security/bot-detector',
  'krakend-cel': 'validation/cel',
  'krakend-jsonschema': 'validation/json-schema',
  'krakend-ratelimit/juju/router': 'qos/ratelimit/router',
  'krakend-ratelimit/juju/proxy': 'qos/ratelimit/proxy',
  'krakend-httpcache': 'qos/http-cache',
  'krakend-circuitbreaker/gobreaker': 'qos/circuit-breaker',
  'krakend-oauth2-clientcredentials': 'auth/client-credentials',
  'krakend-lua/router': 'modifier/lua-endpoint',
  'krakend-lua/proxy': 'modifier/lua-proxy',
  'krakend-lua/proxy/backend': 'modifier/lua-backend',
  'krakend-martian': 'modifier/martian',
  'krakend-amqp/agent': 'async/amqp',
  'krakend-amqp/consume': 'backend/amqp/consumer',
  'krakend-amqp/produce': 'backend/amqp/producer',
  'krakend-lambda': 'backend/lambda',
  'krakend-pubsub/publisher': 'backend/pubsub/publisher',
  'krakend-pubsub/subscriber': 'backend/pubsub/subscriber',
  'krakend-gelf': 'telemetry/gelf',
  'krakend-gologging': 'telemetry/logging',
  'krakend-logstash': 'telemetry/logstash',
  'krakend-metrics': 'telemetry/metrics',
  'krakend-influx': 'telemetry/influx',
  'krakend-opencensus': 'telemetry/opencensus',
  'krakend/transport/http/server/handler': 'plugin/http-server',
  'krakend/transport/http/client/executor': 'plugin/http-client',
  'krakend/transport/http/client/graphql': 'backend/graphql',
  'krakend/proxy/plugin': 'plugin/req-resp-modifier',
  'krakend/proxy': 'proxy',
  'krakend/http': 'backend/http',
  'krakend/router/gin': 'router',
};

/** Returns the current name of a component. Old names begin with `github.com/devopsfaith/` or `github_com/…`. */
export function componentName(name: string): string {
  const old = /^github[._]com\/(?:devopsfaith|luraproject|krakendio|krakend|letgoapp)\/(.+)$/.exec(
    name,
  )?.[1];
  return OLD_NAMES[old?.replace(/^lura(?:\/v2)?\//, 'krakend/') ?? ''] ?? name;
}
