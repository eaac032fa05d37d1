/** A field of the API as the key of the configuration: `settings.links[0].cap_bytes` is `links[0].capBytes`. */
export function configKey(field: string): string {
  return field.replace(/^settings\./, '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
