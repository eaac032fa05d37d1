/** Every subject, stream and bucket of the control plane, version 1. */
export const ALL_FLEETS = 'mp.v1.*.fleet';
export const fleetSubject = (service: string): string => `mp.v1.${service}.fleet`;

export const instanceSubject = (service: string, instanceId: string, method: string): string =>
  `mp.v1.${service}.i.${instanceId}.${method}`;
export const instanceTemplate = (service: string, method: string): string => `mp.v1.${service}.i.{instance}.${method}`;

export const eventSubject = (service: string, sessionId: string): string => `mp.v1.${service}.evt.${sessionId}`;
export const eventPattern = (service: string): string => `mp.v1.${service}.evt.*`;
export const eventStream = (service: string): string => `mp_v1_${service}_events`;

/** Live instances; the bucket's TTL is the lease's. */
export const leaseBucket = (service: string): string => `mp_v1_${service}_leases`;
/** Every instance that may have left sessions behind. */
export const registryBucket = (service: string): string => `mp_v1_${service}_instances`;
/** Keys are `<instance>.<sessionId>`. */
export const sessionBucket = (service: string): string => `mp_v1_${service}_sessions`;
export const requestBucket = (service: string): string => `mp_v1_${service}_requests`;
