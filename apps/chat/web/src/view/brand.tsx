/** The name of the product and its sign: two birds of a covey. */
export function Brand() {
  return (
    <span className="brand">
      <svg className="brand-sign" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" />
        <path d="M5.5 14.5c2.4-3.4 5.6-3.4 7.5 0 1.9-3.4 5.1-3.4 7.5 0" />
        <path d="M11.5 22.5c2.4-3.4 5.6-3.4 7.5 0 1.9-3.4 5.1-3.4 7.5 0" />
      </svg>
      Covey Chat
    </span>
  )
}
