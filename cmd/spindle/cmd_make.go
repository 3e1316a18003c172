package main

import (
	"context"
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
	force      bool
}

func (a *app) makeCommand() *cobra.Command {
	var o makeFlags
	c := &cobra.Command{
		Use:   "make DIR OUT.iso",
		Short: "Make the image of a data disc from a folder",
		Long: `Make an image of all that is in the folder DIR: ISO 9660 with the names of Rock Ridge
(Linux, macOS) and Joliet (Windows), files of any size. On the disc, everything
belongs to root and may be read by all; links are kept as links.

--boot and --efi name boot images among the files (El Torito, no emulation). With
ISOLINUX or GRUB for the BIOS, --boot-info-table is wanted.

With SOURCE_DATE_EPOCH in the environment, the same folder gives the same image,
byte for byte, whenever it is made.`,
		Example: `  spindle make photos photos.iso --label PHOTOS
  spindle make live live.iso --boot isolinux/isolinux.bin --boot-info-table --efi boot/efi.img
  spindle burn photos.iso`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return a.runMake(c.Context(), args[0], args[1], o) },
	}
	f := c.Flags()
	f.StringVar(&o.Label, "label", "", "the volume label (by default the name of the folder)")
	f.StringVar(&o.Publisher, "publisher", "", "who publishes the disc")
	f.BoolVar(&o.NoJoliet, "no-joliet", false, "leave the names for Windows out")
	f.BoolVar(&o.NoRockRidge, "no-rock-ridge", false, "leave the names, permissions and links of POSIX out")
	f.StringVar(&o.bios, "boot", "", "a boot image for PCs with a BIOS: a `FILE` below DIR")
	f.IntVar(&o.loadSize, "boot-load-size", 4, "how many `SECTORS` of 512 bytes the BIOS loads")
	f.BoolVar(&o.infoTable, "boot-info-table", false, "write the place of the volume into the boot image")
	f.StringVar(&o.uefi, "efi", "", "a boot image for UEFI (a FAT file system): a `FILE` below DIR")
	f.BoolVar(&o.force, "force", false, "replace an existing file")
	return c
}

// makeEvent is the result of make in JSON.
type makeEvent struct {
	Event   string   `json:"event"` // result
	Status  int      `json:"status"`
	File    string   `json:"file"`
	Sectors int      `json:"sectors"`
	Files   int      `json:"files"`
	Folders int      `json:"folders"`
	Left    []string `json:"left_out,omitempty"`
}

func (a *app) runMake(ctx context.Context, dir, out string, o makeFlags) error {
	if strings.ToLower(suffix(out)) != ".iso" {
		return usage("%s: the file to be made is an .iso", out)
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
			return usage("SOURCE_DATE_EPOCH is %q, and not a number of seconds", s)
		}
		o.Time = time.Unix(n, 0)
	}
	bar := a.newWorkBar()
	defer bar.stop()
	o.Progress = bar.step("writing")
	made, err := author.Create(ctx, out, dir, o.Options, o.force)
	bar.stop()
	if err != nil {
		return err
	}
	for _, left := range made.Left {
		a.note("Left out: " + left + ".")
	}
	if made.Deep {
		a.note("Some folders lie more than eight deep: every system of today reads that, some of the nineties do not.")
	}
	a.emit(makeEvent{"result", exitDone, out, made.Sectors, made.Files, made.Folders, made.Left})
	what := plural(made.Files, "file")
	if made.Folders > 0 {
		what += " in " + plural(made.Folders, "folder")
	}
	a.print("%s: %s, %s", out, what, megabytes(int64(made.Sectors)*iso.BlockSize))
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
