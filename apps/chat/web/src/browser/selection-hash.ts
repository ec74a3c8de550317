import type { Chat } from '../core/chat.ts'

/**
 * Keeps the open conversation in the address, so that a reload opens it again and the back button of a
 * phone leads to the list. Ends when `signal` aborts.
 */
export function followSelection(chat: Chat, signal: AbortSignal): void {
  const fromAddress = () => chat.select(/^#\/c\/(c_[\w-]+)$/.exec(location.hash)?.[1])
  fromAddress()
  addEventListener('popstate', fromAddress, { signal })
  const toAddress = () => {
    const { selection } = chat.state.get()
    if (selection.kind === 'opening') return
    const hash = selection.kind === 'none' ? '' : `#/c/${selection.id}`
    if (hash !== location.hash) history.pushState(null, '', hash === '' ? location.pathname : hash)
  }
  signal.addEventListener('abort', chat.state.subscribe(toAddress), { once: true })
}

/** Takes the conversation out of the address, which must not lead the next person to it. */
export function forgetSelection(): void {
  history.replaceState(null, '', location.pathname)
}
