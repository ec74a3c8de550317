import { useState } from 'react'
import { chooseTheme, isDark, savedTheme } from '../browser/theme.ts'
import { Icon } from './icon.tsx'

/** Turns from light to dark and back; until it is used the device decides. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(savedTheme)
  const dark = isDark(theme)
  const turn = () => {
    const chosen = dark ? 'light' : 'dark'
    chooseTheme(chosen)
    setTheme(chosen)
  }
  return (
    <button
      type="button"
      className="round"
      onClick={turn}
      aria-label={dark ? 'Light colours' : 'Dark colours'}
      title={dark ? 'Light colours' : 'Dark colours'}
    >
      <Icon name={dark ? 'sun' : 'moon'} />
    </button>
  )
}
