package album

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"spindle/check"
	"spindle/image/riplog"
)

// Beside compares files with what the logs beside them, except for those in skip, state of them
// as songs or tracks of data: a log is a checksum file of samples. A file that one log states
// is right, whatever others state. Of what a log calls not right it is no checksum: opening
// the image tells that. Nor is one that was changed.
func Beside(ctx context.Context, files, skip []string, progress func(done, total int64)) ([]check.SumResult, error) {
	logs := map[string][]riplog.File{} // of folders
	in := func(dir string) []riplog.File {
		if _, ok := logs[dir]; !ok {
			logs[dir] = slices.DeleteFunc(riplog.In(dir), func(l riplog.File) bool { return slices.Contains(skip, l.Path) })
		}
		return logs[dir]
	}
	var all []check.SumResult
	for i, path := range files {
		var found []check.SumResult
		for _, p := range linked(path) {
			for _, l := range in(filepath.Dir(p)) {
				r, ok, err := compareWith(ctx, l, p)
				if err != nil {
					return nil, err
				}
				if r.File = path; ok {
					found = append(found, r)
				}
			}
		}
		if right := slices.IndexFunc(found, func(r check.SumResult) bool { return r.Right }); right >= 0 {
			found = found[right : right+1]
		}
		all = append(all, found...)
		progress(int64(i+1), int64(len(files)))
	}
	return all, nil
}

// linked returns the path of a file, and that of what it links to, if it is a symbolic link.
func linked(path string) []string {
	if target, err := filepath.EvalSymlinks(path); err == nil && target != filepath.Clean(path) {
		return []string{path, target}
	}
	return []string{path}
}

// compareWith compares a file with a log, if the log states it: the result is that of the
// first song in it that is wrong. The error is that ctx ended: of a file that cannot be read,
// those say it who read it.
func compareWith(ctx context.Context, l riplog.File, path string) (r check.SumResult, stated bool, err error) {
	if !l.States(filepath.Base(path)) {
		return r, false, nil
	}
	for _, s := range l.Songs {
		if s.File != filepath.Base(path) || len(s.Flaws) > 0 {
			continue
		}
		sum, found, _ := songSum(ctx, filepath.Dir(path), s, l.Songs)
		if found == Missing || found == Unreadable {
			return r, false, ctx.Err()
		}
		r = check.SumResult{From: l.Path, Algorithm: check.CRC32, Right: found == Same && sum == s.CRC32, Stated: fmt.Sprintf("%08x", s.CRC32)}
		if found == Same {
			r.Found = fmt.Sprintf("%08x", sum)
		}
		if stated = true; !r.Right {
			break
		}
	}
	return r, stated, nil
}
