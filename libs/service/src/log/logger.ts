import { trace } from '@opentelemetry/api';
import { pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { CommonConfig } from '../config/common-config.ts';
import { prettyLines } from './pretty.ts';

/** `bindings` stand in every line. A line written inside a span carries its trace and span ids. */
export function createLogger(
  config: CommonConfig['log'],
  bindings: Readonly<Record<string, string>>,
  out: DestinationStream & { readonly isTTY?: boolean } = process.stdout,
): Logger {
  const pretty = config.format === 'pretty' || (config.format === 'auto' && out.isTTY === true);
  const options = {
    level: config.level,
    base: bindings,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: spanIds,
  };
  return pino(options, pretty ? prettyLines(out) : out);
}

function spanIds(): object {
  const span = trace.getActiveSpan();
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}
