//! What is compared when: the table of an earlier program, and an unlock after an unlock.

use super::*;
use crate::freshness::pages::earlier;

/// A table of an earlier program is read, is a tree from then on, and is gone after that.
#[test]
fn s8_the_table_of_an_earlier_program_is_taken_over_and_still_finds_a_page_put_back() {
    let bench = Bench::new();
    let mut vault = bench.create();
    rewrite(&mut vault, 1);
    vault.close().unwrap();
    let old = bench.copy();
    let mut vault = bench.open();
    rewrite(&mut vault, 2);
    vault.close().unwrap();
    let key = bench.keys.head();
    let database = fs::read(bench.path()).unwrap();
    let tags: Vec<Tag> = database.chunks(PAGE).map(|page| pages::tag(page).unwrap()).collect();
    let mut slots = HeadFile::of(&bench.path(), key.clone()).unwrap();
    let mut head = slots.read().unwrap().head.unwrap();
    for generation in [8, 9] {
        let seq = head.commit.seq - (9 - generation);
        let table = earlier::write_for_tests(&bench.path(), &key, &tags, (generation, seq));
        head.table = Some(table.unwrap());
        head.before = head.generation;
        head.generation += 1;
        slots.write(&head).unwrap();
    }
    fs::remove_file(bench.dir.path().join("vault.pages")).unwrap();
    let whole = bench.copy();
    assert_eq!(bench.found(&whole), []);
    let mut state = whole.clone();
    let (then, now) = (old["vault.db"].chunks(PAGE), whole["vault.db"].chunks(PAGE));
    let page = then.zip(now).rposition(|(then, now)| then != now).unwrap() * PAGE;
    state.get_mut("vault.db").unwrap()[page..page + PAGE]
        .copy_from_slice(&old["vault.db"][page..page + PAGE]);
    assert_eq!(kinds(&bench.found(&state)), [FindingKind::PagesReplaced]);
    let mut state = whole.clone();
    state.insert("vault.pages1".into(), whole["vault.pages0"].clone());
    let found = bench.found(&state);
    assert_eq!(kinds(&found), [FindingKind::HeadOlder]);
    assert_eq!(found[0].found.map(|seq| seq + 1), found[0].expected);
    for opens in 0..3 {
        let mut vault = bench.open();
        compare_all(&mut vault);
        assert_eq!(vault.findings(), [], "open {opens}");
        add(&mut vault, 3);
        vault.close().unwrap();
        let names = bench.copy();
        assert!(names.contains_key("vault.pages"), "open {opens}");
        assert_eq!(names.contains_key("vault.pages0"), opens == 0, "open {opens}");
    }
}

/// What one unlock has compared the next one in the same process does not compare again, unless somebody was
/// at the file in between.
#[test]
fn s8_an_unlock_goes_on_comparing_where_the_last_one_stopped_and_anew_after_any_change() {
    let bench = Bench::new();
    let mut vault = bench.create();
    for round in 0..12 {
        vault
            .write_for_tests(|transaction| {
                transaction.execute_batch(&format!("CREATE TABLE t{round} (content BLOB)"))?;
                for _ in 0..60 {
                    let sql = format!("INSERT INTO t{round} VALUES (randomblob(3000))");
                    transaction.execute(&sql, [])?;
                }
                Ok(())
            })
            .unwrap();
    }
    vault.close().unwrap();
    let mut vault = bench.open();
    let all = vault.parts_for_tests().2.table.pages();
    assert!(all > 600, "{all}");
    vault.compare_some().unwrap();
    let compared = vault.parts_for_tests().2.compared;
    assert!(compared < all, "{compared} of {all}");
    let before = vault.close_for_now().unwrap();
    let again = || Vault::open_again(&bench.path(), &bench.keys, Some(&before)).unwrap();
    let mut vault = again();
    assert_eq!(vault.parts_for_tests().2.compared, compared, "it goes on");
    compare_all(&mut vault);
    let before = vault.close_for_now().unwrap();
    let again = || Vault::open_again(&bench.path(), &bench.keys, Some(&before)).unwrap();
    assert!(!again().compares(), "and has nothing left to compare");
    let whole = bench.copy();
    let times = fs::metadata(bench.path()).unwrap().modified().unwrap();
    // The last page put back as it was never: with the time of the file as it was.
    let mut file = whole["vault.db"].clone();
    let last = file.len() - PAGE;
    file[last..].copy_from_slice(&whole["vault.db"][last - PAGE..last]);
    fs::write(bench.path(), file).unwrap();
    File::options().write(true).open(bench.path()).unwrap().set_modified(times).unwrap();
    let mut vault = again();
    assert!(vault.compares());
    compare_all(&mut vault);
    assert_eq!(kinds(&vault.findings()), [FindingKind::PagesReplaced]);
    drop(vault);
    bench.put(&whole);
    assert!(again().compares(), "another file");
    // A head that was written meanwhile.
    let mut vault = bench.open();
    compare_all(&mut vault);
    let before = vault.close_for_now().unwrap();
    let mut slots = HeadFile::of(&bench.path(), bench.keys.head()).unwrap();
    let head = slots.read().unwrap().head.unwrap();
    slots
        .write(&Head { generation: head.generation + 1, before: head.generation, ..head })
        .unwrap();
    let vault = Vault::open_again(&bench.path(), &bench.keys, Some(&before)).unwrap();
    assert!(vault.compares(), "another head");
}
