// The strip of example scenes; runs as gr.HTML's js_on_load.
const strip = document.createElement("div");
strip.className = "strip";
strip.append(
  ...props.scenes.map(({ name, caption, thumbnail }) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    button.type = "button";
    button.title = caption;
    picture.src = thumbnail;
    picture.alt = `Scene ${name}: ${caption}`;
    button.append(picture);
    button.addEventListener("click", () => trigger("pick", { name }));
    return button;
  }),
);
const title = document.createElement("p");
const about = document.createElement("span");
about.className = "captioned";
about.textContent = " Its caption names only some of what is there:";
title.append("Or start from a drawn scene.", about);
element.replaceChildren(title, strip);
