"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  /* Every text of the data enters the page as a text node, never as markup. */
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  };

  byId("title").textContent = data.title;
  data.notes.forEach((note) => byId("notes").append(make("p", note)));

  const graph = cytoscape({
    container: byId("graph"),
    elements: data.elements,
    layout: { name: "preset" },
    minZoom: 0.1,
    maxZoom: 5,
    style: [
      {
        selector: "node",
        style: {
          "background-color": "data(colour)", shape: "data(shape)", width: 13, height: 13,
          label: "data(label)", "font-size": 11, color: "#111", "text-valign": "center", "text-halign": "right",
          "text-background-color": "#fff", "text-background-opacity": 0.75, "text-background-padding": 1,
          "border-width": 1.5, "border-color": "#fff",
        },
      },
      { selector: "node[shape = 'rectangle']", style: { width: 11, height: 11 } },
      {
        selector: "node.placed",
        style: {
          "text-halign": "data(side)", "text-rotation": "data(turn)",
          "text-margin-x": "data(dx)", "text-margin-y": "data(dy)",
        },
      },
      {
        selector: "node[?centre]",
        style: { width: 26, height: 26, "font-size": 13, "font-weight": "bold", "text-valign": "bottom", "text-halign": "center" },
      },
      {
        selector: "edge",
        style: {
          "line-color": "data(colour)", width: "data(width)", "curve-style": "unbundled-bezier",
          "control-point-distances": "data(bend)", "control-point-weights": 0.5,
        },
      },
      { selector: "edge[?dashed]", style: { "line-style": "dashed", "line-dash-pattern": [7, 3] } },
      { selector: ".hidden", style: { display: "none" } },
      { selector: ".dim", style: { opacity: 0.12 } },
      { selector: "node.found, node:selected", style: { "border-color": "#e69f00", "border-width": 4, width: 20, height: 20 } },
      { selector: "edge:selected", style: { "line-color": "#e69f00", "z-index": 9 } },
    ],
  });

  /* What is shown: filters, and the entities that they leave an edge. */
  const off = new Set();
  const filter = () => {
    const lowest = Number(byId("score").value);
    byId("from").textContent = lowest.toFixed(2);
    graph.batch(() => {
      graph.elements().removeClass("hidden");
      graph.nodes().filter((n) => off.has(n.data("type")) && !n.data("centre")).addClass("hidden");
      graph.edges().filter((e) => off.has(e.data("type")) || (e.data("score") ?? 1) < lowest).addClass("hidden");
      graph.edges().filter((e) => e.connectedNodes(".hidden").nonempty()).addClass("hidden");
      graph.nodes().filter((n) => !n.data("centre") && n.connectedEdges().not(".hidden").empty()).addClass("hidden");
    });
  };
  const box = (field, name, mark) => {
    const label = make("label");
    const input = make("input", undefined, { type: "checkbox", checked: "" });
    input.addEventListener("change", () => {
      if (input.checked) off.delete(name); else off.add(name);
      filter();
    });
    label.append(input, mark, make("span", name));
    byId(field).append(label);
  };
  data.edgeTypes.forEach(({ name, colour, dashed }) => {
    const mark = make("span", undefined, { class: "line" });
    mark.style.borderTopColor = colour;
    mark.style.borderTopStyle = dashed ? "dashed" : "solid";
    box("edge-types", name, mark);
  });
  data.nodeTypes.forEach(({ name, colour, shape }) => {
    const mark = make("span", undefined, { class: `mark ${shape}` });
    mark.style.backgroundColor = colour;
    box("node-types", name, mark);
  });
  byId("score").addEventListener("input", filter);
  byId("score-field").hidden = !data.elements.edges.some((edge) => edge.data.score !== undefined);
  byId("uncertainty").hidden = data.uncertainty === null;
  if (data.uncertainty !== null) {
    byId("sure").textContent = `uncertainty ${data.uncertainty[0].toPrecision(2)}`;
    byId("unsure").textContent = `${data.uncertainty[1].toPrecision(2)} nats`;
  }

  /* What the panel says of an entity or edge. */
  const link = (text) => {
    const paper = /^(?:PMID:)?(\d+)(?:#\d+)?$/.exec(text);
    const href = paper ? `https://pubmed.ncbi.nlm.nih.gov/${paper[1]}/` : null;
    return href ? make("a", text, { href, target: "_blank", rel: "noopener noreferrer" }) : make("span", text);
  };
  const shown = (name, value) => {
    const cell = make("dd");
    if (["evidence_ids", "publications"].includes(name)) {
      value.forEach((item, place) => cell.append(place ? ", " : "", link(item)));
    } else if (Array.isArray(value)) {
      cell.textContent = value.join(", ");
    } else if (typeof value === "number" && !Number.isInteger(value)) {
      cell.textContent = String(Number(value.toPrecision(4)));
    } else {
      cell.textContent = String(value);
    }
    return cell;
  };
  const table = (properties) => {
    const list = make("dl");
    Object.entries(properties).forEach(([name, value]) => {
      if (!Array.isArray(value) || value.length) list.append(make("dt", name), shown(name, value));
    });
    return list;
  };
  const name = (node) => node.data("properties").name || node.id();
  const words = (edge) => {
    const score = edge.data("score");
    return score === undefined ? edge.data("type") : `${edge.data("type")}, score ${score.toFixed(3)}`;
  };
  const tell = (element) => {
    const about = byId("about");
    about.replaceChildren();
    if (!element) {
      about.append(make("p", "Point at an entity or a line to read about it; click to keep it and see what it touches.", { class: "hint" }));
      return;
    }
    if (element.isEdge()) {
      about.append(make("h2", `${name(element.source())} – ${name(element.target())}`), make("p", words(element)));
      about.append(table(element.data("properties")));
      return;
    }
    about.append(make("h2", name(element)), table(element.data("properties")));
    const list = make("ul");
    element.connectedEdges().not(".hidden").sort((a, b) => (b.data("score") ?? -1) - (a.data("score") ?? -1)).forEach((edge) => {
      const item = make("li");
      const other = edge.connectedNodes().difference(element).first();
      const button = make("button", `${name(other)}: ${words(edge)}`);
      button.addEventListener("click", () => keep(edge));
      item.append(button);
      list.append(item);
    });
    about.append(list);
  };

  /* Pointing tells; a click keeps, and dims what it does not touch. */
  let kept = null;
  const keep = (element) => {
    kept = element;
    graph.batch(() => {
      graph.elements().removeClass("dim").unselect();
      if (element) {
        const near = element.isNode() ? element.closedNeighborhood() : element.union(element.connectedNodes());
        graph.elements().not(near).addClass("dim");
        element.select();
      }
    });
    tell(element);
  };
  graph.on("mouseover", "node, edge", (event) => { if (!kept) tell(event.target); });
  graph.on("mouseout", "node, edge", () => { if (!kept) tell(null); });
  graph.on("tap", (event) => keep(event.target === graph ? null : event.target));

  byId("search").addEventListener("input", () => {
    const text = byId("search").value.trim().toLowerCase();
    graph.nodes().removeClass("found");
    if (!text) return;
    const found = graph.nodes().not(".hidden").filter((node) => {
      const { name: called, synonyms = [] } = node.data("properties");
      return [node.id(), called ?? "", ...synonyms].some((one) => one.toLowerCase().includes(text));
    });
    found.addClass("found");
    if (found.length === 1) keep(found.first());
  });

  const fit = () => {
    graph.fit(graph.elements().not(".hidden"), 25);
    if (graph.zoom() > 1.6) {
      graph.zoom(1.6);
      graph.center(graph.elements().not(".hidden"));
    }
  };
  const rays = () => {
    graph.nodes().not("[?centre]").addClass("placed");
    graph.nodes().positions((node) => ({ ...node.data("home") }));
    fit();
  };
  byId("rays").addEventListener("click", rays);
  byId("fit").addEventListener("click", fit);
  byId("forces").addEventListener("click", () => {
    graph.nodes().removeClass("placed");
    graph.elements().not(".hidden").layout({
      name: "cose", animate: false, randomize: false, nodeDimensionsIncludeLabels: true, nodeRepulsion: () => 20000,
      idealEdgeLength: () => 90, padding: 25,
    }).run();
  });
  filter();
  tell(null);
  rays();
})();
