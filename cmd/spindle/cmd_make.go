package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spindle/iso"
	"spindle/iso/author"

	"github.com/spf13/cobra"
)

// makeFlags are the options of make.
type makeFlags struct {
	author.Options
	bios, uefi string
	loadSize   int
	infoTable  bool
}

func makeCommand(a *app) *cobra.Command {
	var o makeFlags
	c := &cobra.Command{
		Use:   "make DIR OUT.iso",
		Short: "Make the image of a data disc from a folder",
		Long: `Make an image of everything in the folder DIR: ISO 9660 with Rock Ridge names (Linux,
macOS) and Joliet names (Windows), and files of any size. On the disc, everything
belongs to root and is readable by all; links are kept as links.

--boot and --efi name boot images among the files (El Torito, no emulation). ISOLINUX
and GRUB for the BIOS need --boot-info-table.

With SOURCE_DATE_EPOCH in the environment, the same folder always gives the same image,
byte for byte.`,
		Example: `  spindle make photos photos.iso --label PHOTOS
  spindle make live live.iso --boot isolinux/isolinux.bin --boot-info-table --efi boot/efi.img
  spindle burn photos.iso`,
		Args: needs(2, 2, "name the folder and the image to make, e.g. \"spindle make photos photos.iso\""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) { return runMake(ctx, a, args[0], args[1], o) }),
	}
	f := c.Flags()
	f.StringVar(&o.Label, "label", "", "`TEXT` for the volume label (by default the name of the folder)")
	f.StringVar(&o.Publisher, "publisher", "", "`NAME` of the publisher of the disc")
	f.BoolVar(&o.NoJoliet, "no-joliet", false, "leave out the names for Windows")
	f.BoolVar(&o.NoRockRidge, "no-rock-ridge", false, "leave out POSIX names, permissions and links")
	f.StringVar(&o.bios, "boot", "", "a boot image for PCs with a BIOS: a `FILE` below DIR")
	f.IntVar(&o.loadSize, "boot-load-size", 4, "how many `SECTORS` of 512 bytes the BIOS loads")
	f.BoolVar(&o.infoTable, "boot-info-table", false, "write the position of the volume into the boot image")
	f.StringVar(&o.uefi, "efi", "", "a boot image for UEFI (a FAT file system): a `FILE` below DIR")
	f.BoolVar(&o.Force, "force", false, "replace an existing file")
	return c
}

// makeResult is the result of make.
type makeResult struct {
	ending
	File    string   `json:"file"`
	Sectors int      `json:"sectors"`
	Files   int      `json:"files"`
	Folders int      `json:"folders"`
	Left    []string `json:"left_out,omitempty"`
}

// Text implements event.
func (r *makeResult) Text(p *page) {
	what := plural(r.Files, "file")
	if r.Folders > 0 {
		what += " in " + plural(r.Folders, "folder")
	}
	p.line("%s: %s, %s", r.File, what, sizeText(int64(r.Sectors)*iso.BlockSize))
}

func runMake(ctx context.Context, a *app, dir, out string, o makeFlags) (result, error) {
	if err := o.complete(dir, out); err != nil {
		return nil, err
	}
	bar := a.newProgress()
	defer bar.stop()
	o.Progress = bar.step("writing")
	made, err := author.Create(ctx, out, dir, o.Options)
	bar.stop()
	if err != nil {
		return nil, err
	}
	for _, left := range made.Left {
		a.note("Left out: " + left + ".")
	}
	a.noteRenamed(made.Renamed)
	if st, err := os.Stat(filepath.Join(dir, "VIDEO_TS")); err == nil && st.IsDir() {
		a.note("Players may not play this: a DVD-Video needs UDF, which \"spindle make\" does not write.")
	}
	if made.Deep {
		a.note("Some folders are nested more than eight deep: current systems read them, some from the nineties do not.")
	}
	return &makeResult{done(), out, made.Sectors, made.Files, made.Folders, made.Left}, nil
}

// noteRenamed says which names Windows shows otherwise.
func (a *app) noteRenamed(all [][2]string) {
	const most = 3
	var pairs []string
	for _, r := range all[:min(len(all), most)] {
		pairs = append(pairs, fmt.Sprintf("%s is %q", r[0], r[1]))
	}
	if n := len(all) - most; n > 0 {
		pairs = append(pairs, fmt.Sprintf("and so on (%d more)", n))
	}
	if len(all) > 0 {
		a.note(fmt.Sprintf("Windows shows %s differently, as names in Joliet have at most 64 characters, and not every one of them: %s.", plural(len(all), "name"), strings.Join(pairs, ", ")))
	}
}

// complete checks the options, and fills in what was not given.
func (o *makeFlags) complete(dir, out string) error {
	if strings.ToLower(suffix(out)) != ".iso" {
		return usage("make writes an .iso, named last: \"spindle make FOLDER IMAGE.iso\"; %q has another suffix", out)
	}
	if o.Label == "" {
		o.Label = labelFor(dir)
	}
	o.Application = "SPINDLE"
	if o.bios != "" {
		o.Boot = append(o.Boot, author.Boot{Path: filepath.ToSlash(o.bios), LoadSectors: o.loadSize, InfoTable: o.infoTable})
	}
	if o.uefi != "" {
		o.Boot = append(o.Boot, author.Boot{Path: filepath.ToSlash(o.uefi), UEFI: true})
	}
	if s := os.Getenv("SOURCE_DATE_EPOCH"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return usage("SOURCE_DATE_EPOCH is %q, which is not a number of seconds", s)
		}
		o.Time = time.Unix(n, 0)
	}
	return nil
}

// labelFor makes a label of the name of a folder.
func labelFor(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, filepath.Base(abs))
	return label[:min(len(label), 32)]
}
