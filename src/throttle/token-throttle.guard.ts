import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail } from '@nestjs/throttler';
import { TooManyRequestsException } from './too-many-requests.exception.js';

const ADMITTED = Promise.resolve(true);

/**
 * Limits the requests of one client address to the token endpoints, all of them together. The
 * address is Express' `request.ip` (see `trust proxy`); of an IPv6 address its network counts.
 */
@Injectable()
export class TokenThrottleGuard extends ThrottlerGuard {
  private limited = true;

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.limited = this.throttlers.some(({ limit }) => limit !== 0);
  }

  /** Nothing is counted where there is no limit. */
  override canActivate(context: ExecutionContext): Promise<boolean> {
    return this.limited ? super.canActivate(context) : ADMITTED;
  }

  protected override generateKey(_context: ExecutionContext, address: string): string {
    return address;
  }

  protected override throwThrottlingException(
    _context: ExecutionContext,
    { timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw new TooManyRequestsException(timeToBlockExpire);
  }
}
