// @ts-check
// What every page does. Text only ever becomes text: nothing of a token or an answer is taken for HTML.

/**
 * @param {string} name of the element
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * In place of the browser's own way to send a form.
 *
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} send
 */
export function onSubmit(form, send) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
}

/**
 * Calls the gateway, and gives status and body, or the reason why there was no answer.
 *
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<{ status: number; text: string; json: any }>}
 */
export async function call(path, init) {
  try {
    const response = await fetch(path, init);
    const text = await response.text();
    return { status: response.status, text, json: parse(text) };
  } catch (error) {
    return { status: 0, text: String(error), json: undefined };
  }
}

/** @param {string} text of JSON; of something else it is `undefined` */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
