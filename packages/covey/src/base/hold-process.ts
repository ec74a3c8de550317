/**
 * Keeps the process alive until the function that it returns is called: the timers of a clock let it end, but whoever waits for a result
 * does not mean to.
 */
export function holdProcess(): () => void {
  const hold = setInterval(() => {}, 60_000)
  return () => clearInterval(hold)
}
