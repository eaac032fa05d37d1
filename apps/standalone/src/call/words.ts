/** `dtmfReceived` -> `dtmf_received`: names as the API writes them. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `CHANNEL_STATE_OPEN` without the prefix of its enum, in small letters: `open`. */
export function enumWord(name: string, prefix: string): string {
  return (name.startsWith(prefix) ? name.slice(prefix.length) : name).toLowerCase().replaceAll('_', '-');
}
