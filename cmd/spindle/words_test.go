package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spindle/burn"

	"github.com/spf13/cobra"
)

// TestMessages keeps all that a person can read in one file, in the order of the
// tables, so that it can be read through.
func TestMessages(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, "# Errors: code, exit status; what happened (\"...\": the error's own words); what to do.")
	for _, e := range explanations {
		what := e.what
		if what == "" {
			what = "..."
		}
		fmt.Fprintf(&b, "\n%s (%d)\n  %s\n  %s\n", e.code, e.status, sentence(what), strings.TrimSpace(e.next))
	}
	fmt.Fprintln(&b, "\n# What a drive said during a burn.")
	for _, m := range senseMeanings {
		code := fmt.Sprintf("%X/%02X/%02X", uint8(m.key), m.asc, max(m.ascq, 0))
		if m.ascq == anyASCQ {
			code = fmt.Sprintf("%X/%02X/*", uint8(m.key), m.asc)
		}
		fmt.Fprintf(&b, "\n%s\n  %s\n  %s\n", code, sentence(m.what), m.next)
	}
	for _, m := range linkMeanings {
		fmt.Fprintf(&b, "\n%v\n  %s\n  %s\n", m.err, sentence(m.what), m.next)
	}
	fmt.Fprintln(&b, "\n# Why a disc does not take an image, or is not erased or formatted.")
	for _, reason := range slices.Sorted(maps.Keys(refusals)) {
		fmt.Fprintf(&b, "\n%s\n  %s\n  %s\n", reason, sentence(refusals[reason].what), refusals[reason].next)
	}
	fmt.Fprintln(&b, "\n# The disc after a burn that failed.")
	writeTable(&b, discStates)
	fmt.Fprintln(&b, "\n# Sectors after a rip.")
	writeTable(&b, badReasons)
	fmt.Fprintln(&b, "\n# Phases of a rip.")
	writeTable(&b, ripPhases)
	compareGolden(t, "messages.golden", b.String())
}

func writeTable[K ~string](b *strings.Builder, table map[K]string) {
	for _, k := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(b, "%s: %s\n", k, table[k])
	}
}

// Each error has a code of its own, and a table in which nothing is hidden: an entry
// that comes after a more general one would never be found.
func TestExplanationsAreReached(t *testing.T) {
	codes := make(map[string]bool)
	for i, e := range explanations {
		if codes[e.code] {
			t.Errorf("two entries are called %s", e.code)
		}
		codes[e.code] = true
		err := e.err
		if e.also != nil {
			err = fmt.Errorf("%w: %w", e.also, e.err)
		}
		if got := find(err); got != i {
			t.Errorf("%s is explained as %s", e.code, explanations[got].code)
		}
		if e.next != "" && !strings.ContainsAny(e.next[len(strings.TrimRight(e.next, " "))-1:], ".?:)gmE") {
			t.Errorf("%s: %q is no sentence", e.code, e.next)
		}
	}
}

// TestHelp keeps every --help in one file.
func TestHelp(t *testing.T) {
	var b strings.Builder
	a := newApp(&bytes.Buffer{}, &bytes.Buffer{})
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		switch c.Name() {
		case "help", "completion": // cobra's own
			return
		}
		var out bytes.Buffer
		args := strings.Fields(c.CommandPath())[1:]
		if status := run(append(args, "--help"), &out, &out); status != exitDone {
			t.Errorf("%s --help: exit status %d", c.CommandPath(), status)
		}
		text, _, _ := strings.Cut(out.String(), "\nFlags of all commands:")
		fmt.Fprintf(&b, "$ %s --help\n%s\n", c.CommandPath(), text)
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(a.rootCommand())
	compareGolden(t, "help.golden", b.String())
}

// translated are words that give a translated text away, with what English has
// instead.
var translated = map[string]string{
	`rightly`:                              "correctly",
	`all the same`:                         "anyway",
	`gone on with|go on from|goes? on\b`:   "resume, continue",
	`made anew|begin anew|anew\b`:          "again",
	`(is|are|was|were|be) told`:            "reported",
	`what becomes of|has become of`:        "the state of",
	`by itself`:                            "automatically, alone",
	`put that right`:                       "fix the cause",
	`it is used like this`:                 "an example",
	`end the other one`:                    "stop",
	`to and fro`:                           "back and forth",
	`for the sake of`:                      "for",
	`so many`:                              "this many",
	`(in|a|of) which there`:                "where there",
	`(sectors|bytes|files|file|.bin) a \w`: "per",
	`take care that`:                       "make sure that",
	`nobody to`:                            "no terminal",
	`kin\b`:                                "and the like",
	`it is (looked|asked|burned) `:         "active voice",
	`is (not )?right\b|are right\b`:        "correct, intact",
	`in the way\b`:                         "exists already",
	`went well`:                            "succeeded",
	`broken? off`:                          "interrupted, cut off",
	`cannot be had`:                        "not available",
	`of it still|still to`:                 "remaining",
	`when all was`:                         "if everything was",
}

// mayStay are strings in which one of these is meant.
var mayStay = []string{"open the tray if all went well", "writing broke off"}

func TestWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(node ast.Node) bool {
			lit, ok := node.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			n++
			for _, found := range odd(text) {
				t.Errorf("%v: %s", set.Position(lit.Pos()), found)
			}
			return true
		})
	}
	if n < 500 {
		t.Errorf("only %d strings were looked at", n)
	}
}

// odd finds words in a text that give a translation away.
func odd(text string) []string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, ok := range mayStay {
		text = strings.ReplaceAll(text, ok, "")
	}
	var found []string
	for _, p := range slices.Sorted(maps.Keys(translated)) {
		if s := regexp.MustCompile(`\b(` + p + `)`).FindString(text); s != "" {
			found = append(found, fmt.Sprintf("%q: better %q", s, translated[p]))
		}
	}
	return found
}

func TestOddWords(t *testing.T) {
	for _, s := range []string{"4 sectors could not be read rightly", "the burn can be gone on with", "It is burned all the same"} {
		if len(odd(s)) == 0 {
			t.Errorf("%q passes", s)
		}
	}
}

// A refusal that the tables do not know would show the words of the library.
func TestRefusalsHaveWords(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "burn", "refusal.go"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`(?m)^\t(\w+) +Reason = "([^"]+)"`).FindAllStringSubmatch(string(src), -1)
	if len(reasons) != len(refusals) {
		t.Errorf("%d reasons, and words for %d", len(reasons), len(refusals))
	}
	for _, r := range reasons {
		if refusals[burn.Reason(r[2])].what == "" {
			t.Errorf("%s has no words", r[1])
		}
	}
}
