import { Transform, type TransformFnParams } from 'class-transformer';
import {
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';
import { claimText } from '../core/claims/index.js';
import {
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
} from '../core/revocation/index.js';

/** Longest value of a claim, in characters. */
export const MAX_VALUE_LENGTH = 1024;
/** Longest reason, in characters. */
export const MAX_REASON_LENGTH = 500;
/** Longest `after`, in characters. */
export const MAX_CURSOR_LENGTH = 100;
/** Page size without `limit`. */
export const DEFAULT_PAGE_SIZE = 100;
/** Largest `limit`. */
export const MAX_PAGE_SIZE = 1000;
/** Largest time, in seconds since 1970: the end of the year 9999. */
const MAX_TIME = 253_402_300_799;

/** Validates the value of a claim: text, or a number. */
const ClaimValue = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'claimValue',
      validator: {
        validate: (value) => {
          const text = typeof value === 'boolean' ? undefined : claimText(value);
          return text !== undefined && text !== '' && text.length <= MAX_VALUE_LENGTH;
        },
      },
    },
    { message: `$property must be a string of 1 to ${MAX_VALUE_LENGTH} characters, or a number` },
  );

/** Converts digits of a query string to a number. Other values are kept, so that the validation refuses them. */
const toWholeNumber = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' && /^[1-9]\d*$/.test(value) ? Number(value) : value;

/** Body of `POST /admin/revocations`. Exactly one of the four names is required, see {@link revokedName}. */
export class CreateRevocationDto {
  @IsOptional() @ClaimValue() jti?: string | number;
  @IsOptional() @ClaimValue() sub?: string | number;
  @IsOptional() @ClaimValue() sid?: string | number;
  @IsOptional() @ClaimValue() kid?: string | number;
  /** Seconds since 1970: only tokens that were issued earlier are revoked. */
  @IsOptional() @IsInt() @Min(0) @Max(MAX_TIME) before?: number | null;
  @IsOptional() @IsString() @MaxLength(MAX_REASON_LENGTH) reason?: string | null;
}

/** Query of `GET /admin/revocations`. */
export class ListRevocationsDto {
  /** Page size. */
  @Transform(toWholeNumber) @IsInt() @Min(1) @Max(MAX_PAGE_SIZE) limit = DEFAULT_PAGE_SIZE;
  /** `next` of the previous page. */
  @IsOptional() @IsString() @Length(1, MAX_CURSOR_LENGTH) after?: string;
}

/** A revocation in answers. Times are seconds since 1970. */
export type RevocationResponse = { readonly [Kind in RevocationKind]?: string } & {
  readonly id: string;
  readonly before?: number;
  readonly reason?: string;
  readonly created_at: number;
  /** Left out where the revocation lasts until it is undone. */
  readonly expires_at?: number;
};

/** Returns the name in the body; `undefined` unless there is exactly one. */
export function revokedName(
  dto: CreateRevocationDto,
): { kind: RevocationKind; value: string } | undefined {
  const given = REVOCATION_KINDS.flatMap((kind) => {
    const value = claimText(dto[kind]);
    return value === undefined ? [] : [{ kind, value }];
  });
  return given.length === 1 ? given[0] : undefined;
}

/** Converts a revocation for an answer. */
export function toResponse(revocation: Revocation): RevocationResponse {
  const { id, kind, value, before, reason, createdAt, expiresAt } = revocation;
  return {
    id,
    [kind]: value,
    ...(before === null ? {} : { before }),
    ...(reason === undefined ? {} : { reason }),
    created_at: createdAt,
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
  };
}
