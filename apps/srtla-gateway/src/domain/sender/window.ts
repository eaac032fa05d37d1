// The classic algorithm's numbers (B/srtla_send.c, reference 2.1).

/** Windows are counted in thousandths of a packet, as everybody in this protocol does. */
export const WINDOW_UNIT = 1000;
export const WINDOW_MIN = 1 * WINDOW_UNIT;
export const WINDOW_START = 20 * WINDOW_UNIT;
export const WINDOW_MAX = 60 * WINDOW_UNIT;
/** Off for each packet that was reported lost. */
export const WINDOW_LOSS_STEP = 100;
/** On for each of its own packets that was acknowledged while the window was full; one more comes from `rise`. */
export const WINDOW_FULL_STEP = 29;
