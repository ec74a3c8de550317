/** Sends a signal to a process, or to a whole process group by its negative number. One that is gone already is fine. */
export function sendSignal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
