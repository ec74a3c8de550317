/**
 * The form in which texts are compared without regard to case, in every script: compatibility forms are
 * one (`ﬁ` = `fi`, full width = half width), `ß` = `ss`, all forms of sigma are one. The way leads through the
 * upper case, since that joins more letters; the first step is for `ẞ`, whose upper case is itself.
 * Source: Unicode 16, sections 3.13 and 5.18.
 */
export function fold(text: string): string {
  const oneForm = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase()
  return oneForm.replaceAll('ς', 'σ').normalize('NFKC')
}
