import { useEffect, useState } from 'react'

/** True once `condition` has held for `delayMs` without a break. */
export function useLater(condition: boolean, delayMs: number): boolean {
  const [held, setHeld] = useState(false)
  useEffect(() => {
    if (!condition) return
    const timer = setTimeout(() => setHeld(true), delayMs)
    return () => {
      clearTimeout(timer)
      setHeld(false)
    }
  }, [condition, delayMs])
  return held && condition
}
