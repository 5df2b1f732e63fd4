import { ValidationPipe } from '@nestjs/common';

/** Unknown members are refused: a misspelt `sid` must not end all sessions. */
export const STRICT = new ValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  transform: true,
});
