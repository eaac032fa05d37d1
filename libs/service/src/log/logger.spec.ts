import { stripVTControlCharacters } from 'node:util';
import { context, trace, TraceFlags } from '@opentelemetry/api';
import { describe, expect, test } from '@jest/globals';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createLogger } from './logger.ts';

const logged = (format: 'json' | 'pretty' | 'auto', isTTY = false) => {
  const lines: string[] = [];
  const out = { write: (line: string) => void lines.push(line), isTTY };
  return { lines, log: createLogger({ level: 'info', format }, { service: 'toy', instance: 'abc' }, out) };
};

describe('log lines', () => {
  test('are JSON with service, instance, level name and the ids of the span they were written in', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { lines, log } = logged('json');
    const ids = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
    };
    context.with(trace.setSpanContext(context.active(), ids), () => log.info({ channel: 'ch_a_b' }, 'opened'));
    log.debug('not shown');
    context.disable();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0])).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'toy',
      instance: 'abc',
      trace_id: ids.traceId,
      span_id: ids.spanId,
      channel: 'ch_a_b',
      msg: 'opened',
    });
  });

  test('name no ids where a span has none', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const { lines, log } = logged('json');
    context.with(trace.setSpan(context.active(), trace.getTracer('test').startSpan('call')), () => log.info('opened'));
    context.disable();
    expect(Object.keys(JSON.parse(lines[0]))).toEqual(['level', 'time', 'service', 'instance', 'msg']);
  });

  test('are for people on a terminal, stack included', () => {
    const { lines, log } = logged('auto', true);
    log.warn({ ports: 2 }, 'careful');
    log.error({ err: new Error('broken') }, 'failed');
    const [first, second] = lines.map(stripVTControlCharacters);
    expect(first).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn   toy  careful  ports=2\n$/);
    expect(second).toMatch(/error  toy  failed\nError: broken\n +at /);
  });
});
