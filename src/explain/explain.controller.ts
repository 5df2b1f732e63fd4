import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { Public } from '../auth/index.js';
import type { Explanation } from '../core/explain/index.js';
import { Operation } from '../routes/index.js';
import { EXPLAIN_TOKEN } from './explain.operations.js';
import { Explanations } from './explanations.service.js';

/** `POST /_explain`: explains why a token is accepted or refused. For development only. */
@Controller('_explain')
@Public()
export class ExplainController {
  constructor(private readonly explanations: Explanations) {}

  /** Takes `token` and `route`, as JSON or as a form; see {@link Explanations.explain}. */
  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Operation(EXPLAIN_TOKEN)
  explain(@Body() body?: unknown): Promise<Explanation> {
    return this.explanations.explain(body);
  }
}
