/** Lets the browser paint what was put there. A page that nobody sees paints nothing: it is not waited for any longer than a glance. */
export const painted = (): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, 100);
    requestAnimationFrame(() => setTimeout(done));
  });
