import 'reflect-metadata';
import type { DynamicModule, INestApplicationContext, LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Logger } from 'pino';
import { ServiceRuntime } from './service-spec.ts';

class ServiceRoot {}

/** Starts an app's module with the runtime as a provider that every module of it can inject. */
export function startNest(
  appModule: DynamicModule,
  runtime: ServiceRuntime,
  log: Logger,
): Promise<INestApplicationContext> {
  const root: DynamicModule = {
    module: ServiceRoot,
    global: true,
    imports: [appModule],
    providers: [{ provide: ServiceRuntime, useValue: runtime }],
    exports: [ServiceRuntime],
  };
  return NestFactory.createApplicationContext(root, { logger: nestLogger(log), abortOnError: false });
}

/** Nest reports its wiring at `debug`; what goes wrong keeps its level. */
function nestLogger(log: Logger): LoggerService {
  const at =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...details: unknown[]): void =>
      log[level]({ nest: details.at(-1) }, String(message));
  return {
    log: at('debug'),
    verbose: at('debug'),
    debug: at('debug'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('error'),
  };
}
