import { randomUUID } from 'node:crypto';
import { Injectable, Optional } from '@nestjs/common';
import { Explanations } from '../explain/index.js';
import { errorAnswer, GatewayException } from '../http/index.js';
import type { Answers, JsonAnswer, Question } from '../management/index.js';
import { GatewayMetrics } from './gateway-metrics.service.js';
import { StatusReport } from './status-report.service.js';

/** Answers questions of the management listener, which is in this process or in the primary of a cluster. */
@Injectable()
export class ManagementAnswers {
  constructor(
    private readonly metrics: GatewayMetrics,
    private readonly status: StatusReport,
    @Optional() private readonly explanations?: Explanations,
  ) {}

  /** True if there is an explain page. */
  get explains(): boolean {
    return this.explanations !== undefined;
  }

  /**
   * @param about the question, for an `explanation`
   * @throws Error for a question that this process cannot answer
   */
  async answer<Name extends Question>(name: Name, about?: unknown): Promise<Answers[Name]> {
    const answers: { [Each in Question]: () => Promise<Answers[Each]> } = {
      metrics: () => this.metrics.snapshot(),
      status: () => this.status.now(),
      facts: async () => ({
        routes: this.explainer()
          .routes()
          .map(({ method, path, access }) => ({ method, path, access })),
      }),
      explanation: () => this.explain(about),
    };
    return answers[name]();
  }

  private async explain(question: unknown): Promise<JsonAnswer> {
    try {
      const explanation = await this.explainer().explain(question);
      return { status: 200, body: JSON.stringify(explanation) };
    } catch (error) {
      if (!(error instanceof GatewayException)) throw error;
      return errorAnswer(error.details, randomUUID(), true);
    }
  }

  private explainer(): Explanations {
    if (this.explanations === undefined) throw new Error('there is no explain page');
    return this.explanations;
  }
}
