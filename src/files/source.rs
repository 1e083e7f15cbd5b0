//! The files that `-f` names: read from disk or standard input, shown by the names that people gave.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use tollgate_manifest::{File, TEXT_BYTES_MAX};

/// What standard input is called.
const STDIN: &str = "standard input";

/// Every manifest below these paths, in the order of the paths, directories by name; `-` is standard input.
pub fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().take(TEXT_BYTES_MAX as u64 + 1).read_to_string(&mut text).context(STDIN)?;
            files.push(File { name: STDIN.to_owned(), text });
        } else if path.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                bail!("there is no .yaml or .yml file in {}", path.display());
            }
        } else {
            files.push(File { name: shown(path), text: read(path)? });
        }
    }
    Ok(files)
}

/// Every `.yaml` and `.yml` file below a directory; what is hidden and directories behind links are passed by.
fn walk(dir: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            if !path.is_symlink() {
                walk(&path, files)?;
            }
        } else if is_yaml(&path) {
            files.push(File { name: shown(&path), text: read(&path)? });
        }
    }
    Ok(())
}

/// What is in a directory and not hidden, by name.
pub fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| !hidden(path));
    paths.sort();
    Ok(paths)
}

/// Whether a name ends in `.yaml` or `.yml`.
pub fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read(path: &Path) -> anyhow::Result<String> {
    let name = || path.display();
    let file = std::fs::File::open(path).with_context(|| format!("{} cannot be read", name()))?;
    let mut bytes = Vec::new();
    file.take(TEXT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{} cannot be read", name()))?;
    if bytes.len() > TEXT_BYTES_MAX {
        bail!("{} has more than {TEXT_BYTES_MAX} bytes (20 MiB)", name());
    }
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is not UTF-8 text", name()))
}

/// Brings the document that a manifest names, beside it.
pub fn document(manifest: &str, path: &str) -> Result<File, String> {
    if path.contains("://") {
        return Err("documents are not fetched: save it beside this file and name it here".to_owned());
    }
    if Path::new(path).is_absolute() {
        return Err(format!("expected a path relative to this file, found `{path}`"));
    }
    let beside =
        if manifest == STDIN { Path::new("") } else { Path::new(manifest).parent().unwrap_or(Path::new("")) };
    let path = beside.join(path);
    let text = read(&path).map_err(|error| format!("{error:#}"))?;
    Ok(File { name: shown(&path), text })
}

/// A path without the steps that lead nowhere.
fn shown(path: &Path) -> String {
    let mut steps: Vec<Component<'_>> = Vec::new();
    for step in path.components() {
        match (step, steps.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    steps.iter().collect::<PathBuf>().display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_too_large_or_not_there_is_told_by_name_in_one_line() {
        let directory = std::env::temp_dir().join(format!("tollgate-files-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("made");
        let of = |name: &str, bytes: &[u8]| {
            let path = directory.join(name);
            std::fs::write(&path, bytes).expect("written");
            format!("{:#}", read_all(&[path]).expect_err(name))
        };
        let told = [
            (of("binary.yaml", b"\x7fELF\x02\xff\xfe"), "binary.yaml is not UTF-8 text"),
            (
                of("huge.yaml", &vec![b'#'; TEXT_BYTES_MAX + 1]),
                "huge.yaml has more than 20971520 bytes (20 MiB)",
            ),
            (
                format!("{:#}", read_all(&[directory.join("none.yaml")]).expect_err("none")),
                "none.yaml cannot be read",
            ),
        ];
        for (message, expected) in told {
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
        let empty = directory.join("empty.yaml");
        std::fs::write(&empty, "").expect("written");
        let files = read_all(&[empty]).expect("it is a text");
        assert!(
            tollgate_manifest::Manifest::read(&files, &mut document).is_empty(),
            "`apply` says that it declares nothing"
        );
        std::fs::remove_dir_all(&directory).expect("removed");
    }

    #[test]
    fn a_path_is_shown_without_steps_that_lead_nowhere() {
        assert_eq!(shown(Path::new("./a/./b/../c.yaml")), "a/c.yaml");
        assert_eq!(shown(Path::new("../a.yaml")), "../a.yaml");
        assert_eq!(shown(Path::new("/a/b")), "/a/b");
    }
}
