/** First parts of session ids. */
export const LISTENER_KIND = 'ln';
export const GROUP_KIND = 'gr';
export const UPLINK_KIND = 'up';
