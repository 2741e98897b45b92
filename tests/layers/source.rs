//! Reads the modules of a crate and what they import. Test modules are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree, Visibility};

/// The path of a module below the crate's root.
pub(crate) type Module = Vec<String>;

/// The source of a crate.
pub(crate) struct Source {
    files: Vec<(String, Vec<String>)>,
    modules: BTreeMap<Module, Names>,
    imports: Vec<(Module, Module)>,
}

/// The paths that a module names.
#[derive(Default)]
struct Names {
    /// Absolute paths, such as `hub::Hub`.
    imports: Vec<Module>,
    /// The names that the module re-exports, with their absolute paths.
    exports: BTreeMap<String, Module>,
}

impl Source {
    /// Reads the crate whose source is in a folder of the repository.
    pub(crate) fn read(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(folder);
        let mut files = Vec::new();
        let mut modules = BTreeMap::new();
        let mut tests = Vec::new();
        for path in rust_files(&root) {
            let text = fs::read_to_string(&path).expect("source is text");
            let parsed = syn::parse_file(&text).expect("source parses");
            let name = path.strip_prefix(&root).expect("a path below the root");
            let mut reader = Reader::new(module_of(name));
            reader.visit_file(&parsed);
            tests.append(&mut reader.tests);
            modules.insert(reader.file, reader.names);
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let lines = text.lines().filter(is_code).map(str::to_owned);
            files.push((name.display().to_string(), lines.collect()));
        }
        modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        let mut source = Self {
            files,
            modules,
            imports: Vec::new(),
        };
        source.imports = source.resolved();
        source
    }

    /// Returns each file, tests included: its path, and its lines without comments.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.files.iter().map(|(name, lines)| (name, lines))
    }

    /// Returns all modules. The root has an empty path.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.keys()
    }

    /// Returns which module imports something of which other.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.imports.iter().map(|(from, to)| (from, to))
    }

    fn resolved(&self) -> Vec<(Module, Module)> {
        let pairs = self.modules.iter().flat_map(|(module, names)| {
            let targets = names.imports.iter().map(|path| self.module_of_item(path));
            targets.map(|target| (module.clone(), target))
        });
        pairs.filter(|(from, to)| from != to).collect()
    }

    /// Returns the module that a path's item is in. Re-exports are followed.
    fn module_of_item(&self, path: &[String]) -> Module {
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let mut child = module.clone();
            child.push(name.clone());
            if self.modules.contains_key(&child) {
                module = child;
                continue;
            }
            let exports = self.modules.get(&module).map(|names| &names.exports);
            return match exports.and_then(|exports| exports.get(name)) {
                Some(target) => self.module_of_item(&[target, &path[at + 1..]].concat()),
                None => module,
            };
        }
        module
    }
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// Returns the module of a file: `hub/mod.rs` and `hub.rs` are both `hub`.
fn module_of(file: &Path) -> Module {
    let parts = file.with_extension("");
    let mut module: Module = parts
        .iter()
        .map(|part| part.to_string_lossy().into())
        .collect();
    module.pop_if(|last| ["lib", "main", "mod"].contains(&last.as_str()));
    module
}

/// Collects the names of one file.
struct Reader {
    file: Module,
    /// The module whose items are read: that of the file, or one within the file.
    current: Module,
    names: Names,
    tests: Vec<Module>,
}

impl Reader {
    fn new(file: Module) -> Self {
        Self {
            current: file.clone(),
            file,
            names: Names::default(),
            tests: Vec::new(),
        }
    }

    /// Returns the absolute form of a path that begins with `crate`, `self` or `super`.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (&self.current[..], &path[1..]),
            "super" => (
                &self.current[..self.current.len() - supers],
                &path[supers..],
            ),
            _ => return None,
        };
        Some([base, rest].concat())
    }

    /// Like [`absolute`](Self::absolute), for `use`, whose paths may begin with a child module.
    fn absolute_use(&self, path: &[String]) -> Module {
        let below = || [&self.current[..], path].concat();
        self.absolute(path).unwrap_or_else(below)
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.current.push(item.ident.to_string());
        if item.attrs.iter().any(is_for_tests) {
            self.tests.push(self.current.clone());
        } else {
            visit::visit_item_mod(self, item);
        }
        self.current.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.attrs.iter().any(is_for_tests) {
            return;
        }
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let path = self.absolute_use(&path);
            if !matches!(item.vis, Visibility::Inherited) && self.current == self.file {
                self.names.exports.insert(name, path.clone());
            }
            self.names.imports.push(path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect();
        if names.len() > 1 {
            self.names.imports.extend(self.absolute(&names));
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let condition = match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
        _ => return false,
    };
    let mut words = condition.split(|c: char| c != '_' && !c.is_alphanumeric());
    !condition.starts_with("not") && words.any(|word| word == "test" || word == "harpia_loom")
}

/// Collects the paths of a `use`, each with the name that it brings into scope.
fn flatten(tree: &UseTree, path: &mut Module, leaves: &mut Vec<(Module, String)>) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, leaves);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, leaves);
            }
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((path.clone(), path.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaves.push(([&path[..], slice::from_ref(&name)].concat(), name));
        }
        UseTree::Rename(rename) => {
            let whole = [&path[..], &[rename.ident.to_string()]].concat();
            leaves.push((whole, rename.rename.to_string()));
        }
        UseTree::Glob(_) => leaves.push((path.clone(), "*".to_owned())),
    }
}
