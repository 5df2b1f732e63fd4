import { IsOptional, IsString, Length } from 'class-validator';
import { MAX_VALUE_LENGTH } from './revocation.dto.js';

/** What `GET /admin/sessions` takes. */
export class ListSessionsDto {
  /** Claim `sub` of the user. */
  @IsString() @Length(1, MAX_VALUE_LENGTH) sub!: string;
}

/** What `DELETE /admin/sessions` takes. */
export class EndSessionsDto extends ListSessionsDto {
  /** Left out: all sessions. */
  @IsOptional() @IsString() @Length(1, MAX_VALUE_LENGTH) sid?: string;
}
