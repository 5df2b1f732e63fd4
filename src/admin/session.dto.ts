import { IsOptional, IsString, Length } from 'class-validator';
import { MAX_VALUE_LENGTH } from './revocation.dto.js';

/** Query of `GET /admin/sessions`. */
export class ListSessionsDto {
  /** Claim `sub` of the user. */
  @IsString() @Length(1, MAX_VALUE_LENGTH) sub!: string;
}

/** Query of `DELETE /admin/sessions`. */
export class EndSessionsDto extends ListSessionsDto {
  /** The session to end. Default: all sessions of the user. */
  @IsOptional() @IsString() @Length(1, MAX_VALUE_LENGTH) sid?: string;
}
