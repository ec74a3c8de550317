/** A URL, or what was meant to be one, as it may be shown: without a name and a password. */
export function withoutUser(url: string): string {
  // Up to the last sign: passwords that nobody has encoded hold anything.
  return url.replace(/\/\/.*@/s, '//')
}
