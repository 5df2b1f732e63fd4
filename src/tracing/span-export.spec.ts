import { Logger } from '@nestjs/common';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  vi,
  type MockInstance,
} from 'vitest';
import { startCollector, type OtlpCollector } from '../../test/helpers/telemetry/otlp-collector.js';
import { spanExporter } from './span-export.js';

let collector: OtlpCollector;
beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector.close());

const send = (exporter: SpanExporter): Promise<ExportResult> =>
  new Promise((done) => exporter.export([], done));

describe('spanExporter', () => {
  let warn: MockInstance;
  beforeEach(() => {
    collector.reset();
    // Only the clock that the limit on warnings goes by; requests need real timers.
    vi.useFakeTimers({ toFake: ['performance'] });
    warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it.each(['', '/', '//'])('sends to /v1/traces below the base URL, ended by %j', async (end) => {
    const exporter = spanExporter(collector.endpoint + end);
    expect(await send(exporter)).toMatchObject({ code: ExportResultCode.SUCCESS });
    expect(collector.paths).toEqual(['/v1/traces']);
    expect(warn).not.toHaveBeenCalled();
    await exporter.shutdown();
  });

  it('warns of a collector that takes no spans, at most once a minute', async () => {
    collector.mode = 'refuses';
    const exporter = spanExporter(collector.endpoint);
    for (let i = 0; i < 3; i++)
      expect(await send(exporter)).toMatchObject({ code: ExportResultCode.FAILED });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.lastCall)).toContain('The collector takes no spans: ');
    vi.advanceTimersByTime(59_999);
    await send(exporter);
    expect(warn).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    await send(exporter);
    expect(warn).toHaveBeenCalledTimes(2);
    await exporter.shutdown();
  });
});
