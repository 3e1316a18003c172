package scsi

// A DriveInfo is what the operating system knows of an optical drive without
// sending it a command.
type DriveInfo struct {
	Path     string   // block device: /dev/sr0; or the sg device where there is none
	SGPath   string   // generic device: /dev/sg1, or empty
	Vendor   string   // as INQUIRY gives it
	Model    string   //
	Revision string   // firmware
	Serial   string   // or empty
	Links    []string // other names, such as /dev/cdrom
}
