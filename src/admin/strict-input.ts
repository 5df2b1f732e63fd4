import { ValidationPipe } from '@nestjs/common';

/** Validates input, and refuses unknown members: a misspelled `sid` must not end all sessions. */
export const STRICT = new ValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  transform: true,
});
