/** How the page looks: as the device wishes, or one of the two. */
export type Theme = 'auto' | 'light' | 'dark'

const key = 'covey-chat.theme'

/** The theme that somebody chose on this device. */
export function savedTheme(): Theme {
  const saved = localStorage.getItem(key)
  return saved === 'light' || saved === 'dark' ? saved : 'auto'
}

/** Shows a theme; colours follow from the attribute by CSS alone. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
}

/** Shows a theme and remembers it. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme)
  if (theme === 'auto') localStorage.removeItem(key)
  else localStorage.setItem(key, theme)
}

/** Whether the page is dark at this moment. */
export function isDark(theme: Theme): boolean {
  if (theme !== 'auto') return theme === 'dark'
  return matchMedia('(prefers-color-scheme: dark)').matches
}
