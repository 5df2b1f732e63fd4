import { describe, expect, it } from 'vitest';
import type { OperationObject } from './document-types.js';
import { addErrors, BACKEND_ERRORS, OVERLOAD_ERRORS } from './errors.js';

const answerWith = (...codes: [code: string, error: string][]) => ({
  'application/json': {
    schema: { $ref: '#/components/schemas/Error' },
    examples: Object.fromEntries(
      codes.map(([code, error]) => [
        code,
        { value: expect.objectContaining({ code, error }) as object },
      ]),
    ),
  },
});

describe('addErrors', () => {
  it('joins the codes of all sources, one answer a status, each code once', () => {
    const operation: OperationObject = { responses: {} };
    addErrors(operation, [
      OVERLOAD_ERRORS,
      { 503: ['keys_unavailable'], 400: ['body_malformed'] },
      { 503: ['state_unavailable', 'overloaded'], 400: ['token_ambiguous'] },
    ]);
    expect(operation.responses).toEqual({
      400: {
        description: '`body_malformed`, `token_ambiguous`',
        content: answerWith(
          ['body_malformed', 'invalid_request'],
          ['token_ambiguous', 'invalid_request'],
        ),
      },
      503: {
        description: '`overloaded`, `keys_unavailable`, `state_unavailable`',
        content: answerWith(
          ['overloaded', 'temporarily_unavailable'],
          ['keys_unavailable', 'temporarily_unavailable'],
          ['state_unavailable', 'temporarily_unavailable'],
        ),
      },
    });
  });

  it('leaves an answer that is documented already', () => {
    const described = { description: 'No such order.' };
    const operation: OperationObject = { responses: { 404: described } };
    addErrors(operation, [{ 404: ['not_found'], 409: ['conflict'] }]);
    expect(operation.responses[404]).toBe(described);
    expect(operation.responses[409]).toEqual({
      description: '`conflict`',
      content: answerWith(['conflict', 'invalid_request']),
    });
  });

  it("describes the backend's own refusals as a range of any JSON", () => {
    const operation: OperationObject = { responses: {} };
    addErrors(operation, [BACKEND_ERRORS]);
    expect(operation.responses['4XX']).toEqual({
      description: expect.stringContaining("backend's own refusal") as string,
      content: { 'application/json': { schema: {} } },
    });
    expect(Object.keys(operation.responses)).toEqual(['502', '504', '4XX']);
  });

  it('adds nothing without a source', () => {
    const operation: OperationObject = { responses: {} };
    addErrors(operation, []);
    expect(operation.responses).toEqual({});
  });
});
