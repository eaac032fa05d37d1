/**
 * The control plane of one service instance: the bus (in this process or NATS), the fleet it belongs to, who owns which session
 * and how calls reach the owner, the directory and events of sessions, and what happens when an instance is lost.
 * DESIGN.md section 4 is its specification.
 */
export { ServiceError, ERROR_CODES, hasCode, hasReason, isErrorCode } from './errors.ts';
export type { ErrorCode, ErrorDetails, FieldViolation } from './errors.ts';
export { systemClock } from './clock.ts';
export type { Clock, Timer } from './clock.ts';
export type { Codec } from './codec.ts';
export type { Logger } from './logger.ts';
export { Turns } from './turns.ts';
export type * from './bus/bus.ts';
export { EmbeddedBus } from './bus/embedded-bus.ts';
export { connectNats } from './bus/connect-nats.ts';
export type { NatsBusOptions } from './bus/nats-bus.ts';
export type { CallContext, CallOptions, Method, Route, Router, StreamMethod } from './routing/method.ts';
export { isInstanceId, makeInstanceId, makeSessionId, parseSessionId, requireSessionId } from './routing/session-id.ts';
export type { SessionId } from './routing/session-id.ts';
export { ControlPlane } from './control-plane.ts';
export type { ControlCounters } from './counters.ts';
export type { Fleet } from './fleet/fleet.ts';
export type { InstanceStatus } from './fleet/fleet-view.ts';
export type { Capacity, Instance, InstanceState } from './fleet/instance.ts';
export type {
  Directory,
  DirectoryEntry,
  EventItem,
  Events,
  SnapshotItem,
  WatchItem,
  WatchOptions,
} from './sessions/sessions.ts';
export { DEFAULT_LIMITS } from './control-plane-options.ts';
export type { ControlLimits, ControlPlaneOptions } from './control-plane-options.ts';
