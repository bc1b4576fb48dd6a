export default {
  render({ model, el }) {
    const view = new DeckView(model);
    // The static table of a saved notebook steps aside for as long as this view is in the page.
    el.append(view.root, element("style", "", `#${CSS.escape(model.get("stand_in"))} { display: none; }`));
    return () => view.close();
  },
};
