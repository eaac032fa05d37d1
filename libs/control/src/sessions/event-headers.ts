/** Milliseconds since 1970 UTC when the owner published the event. */
export const EVENT_TIME = 'Mp-Event-Time';
/** The session's last event. */
export const EVENT_FINAL = 'Mp-Event-Final';
