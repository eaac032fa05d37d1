/**
 * Channelz, which counts and traces every call for a debugging service that we do not serve, is off in clients. In a server it
 * stays on: grpc-js 1.14.7 knows its sessions through channelz alone, and `forceShutdown` would end none of them.
 */
export const NO_CHANNELZ = { 'grpc.enable_channelz': 0 } as const;
