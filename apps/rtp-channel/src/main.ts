import '@mediaplane/service/compile-cache';

// Not at the top: modules that are imported there are compiled before the first of them runs.
const { runServices } = await import('@mediaplane/service');
const { startRtpChannel } = await import('./service-spec.ts');

await runServices(async (options) => [await startRtpChannel(options)]);
