/** Channelz, which counts and traces every call for a debugging service that we do not serve, is off. */
export const NO_CHANNELZ = { 'grpc.enable_channelz': 0 } as const;
