import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { TransportError } from './transport.error.js';

/** One call, complete as it is: nothing of axios' defaults is merged into it. */
export interface OutgoingRequest {
  baseURL: string;
  url: string;
  method: string;
  headers: Record<string, string | string[]>;
  data: Buffer | undefined;
  timeout: number;
  maxContentLength: number;
}

interface InterceptorList {
  readonly handlers?: readonly (object | null)[];
}

/**
 * Sends a request by way of `HttpService`. Where nobody added an interceptor, axios has nothing to
 * do but merge configurations and headers, at about the cost of the call itself; then its adapter,
 * which is ours, is called directly.
 */
export async function sendRequest(
  axios: AxiosInstance,
  request: OutgoingRequest,
): Promise<AxiosResponse<Buffer>> {
  const { adapter } = axios.defaults;
  try {
    if (typeof adapter !== 'function' || hasInterceptors(axios))
      return await axios.request(request);
    // Our adapter takes plain headers as well.
    return await adapter(request as unknown as InternalAxiosRequestConfig);
  } catch (error) {
    throw error instanceof TransportError ? error.reason : error;
  }
}

const isUsed = (list: InterceptorList | undefined): boolean =>
  list?.handlers?.some((entry) => entry !== null) ?? true;

function hasInterceptors({ interceptors }: AxiosInstance): boolean {
  const { request, response } = interceptors as unknown as Record<string, InterceptorList>;
  return isUsed(request) || isUsed(response);
}
