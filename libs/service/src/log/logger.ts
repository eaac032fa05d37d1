import { isSpanContextValid, trace } from '@opentelemetry/api';
import { pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { CommonConfig } from '../config/common-config.ts';
import { prettyLines } from './pretty.ts';
import { turnLines } from './turn-lines.ts';

/** One for all services of the process. */
let standardOutput: DestinationStream | undefined;

/**
 * `bindings` stand in every line. A line written inside a span carries its trace and span ids. `out`: standard output, where lines
 * for machines are written turn by turn.
 */
export function createLogger(
  config: CommonConfig['log'],
  bindings: Readonly<Record<string, string>>,
  out?: DestinationStream & { readonly isTTY?: boolean },
): Logger {
  const { isTTY } = out ?? process.stdout;
  const pretty = config.format === 'pretty' || (config.format === 'auto' && isTTY === true);
  const options = {
    level: config.level,
    base: bindings,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: spanIds,
  };
  if (pretty) return pino(options, prettyLines(out ?? process.stdout));
  return pino(options, out ?? (standardOutput ??= turnLines(process.stdout, process)));
}

function spanIds(): object {
  const context = trace.getActiveSpan()?.spanContext();
  // Without tracing and a caller's trace, spans are there and have no ids.
  if (context === undefined || !isSpanContextValid(context)) return {};
  return { trace_id: context.traceId, span_id: context.spanId };
}
