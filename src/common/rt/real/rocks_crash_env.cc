// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/rocks_crash_env.h"

#include <rocksdb/env.h>

namespace plimsoll::real {

namespace {

using rocksdb::Slice;
using rocksdb::Status;
using rocksdb::WritableFile;

Status no_power() { return Status::IOError("power was cut"); }

class CrashFile : public rocksdb::WritableFileWrapper {
 public:
  CrashFile(std::unique_ptr<WritableFile> real, CrashDisk& disk, CrashDisk::FileRef file)
      : rocksdb::WritableFileWrapper(real.get()),
        real_(std::move(real)),
        disk_(disk),
        file_(std::move(file)) {}

  Status Append(const Slice& data) override {
    const Status s = PositionedAppend(data, end_);
    if (s.ok()) end_ += data.size();
    return s;
  }
  Status Append(const Slice& data, const rocksdb::DataVerificationInfo&) override {
    return Append(data);
  }
  Status PositionedAppend(const Slice& data, uint64_t offset) override {
    CrashDisk::WriteRef write;
    if (!disk_.begin_write(*file_, offset, data.ToString(), write)) return no_power();
    const Status s = real_->PositionedAppend(data, offset);
    disk_.end_write(write);
    return s;
  }
  Status PositionedAppend(const Slice& data, uint64_t offset,
                          const rocksdb::DataVerificationInfo&) override {
    return PositionedAppend(data, offset);
  }
  Status Sync() override { return disk_.sync(*file_) ? Status::OK() : no_power(); }
  Status Fsync() override { return Sync(); }
  Status RangeSync(uint64_t, uint64_t) override { return Status::OK(); }

 private:
  const std::unique_ptr<WritableFile> real_;
  CrashDisk& disk_;
  const CrashDisk::FileRef file_;
  uint64_t end_ = 0;
};

class CrashDirectory : public rocksdb::Directory {
 public:
  CrashDirectory(CrashDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Status Fsync() override { return disk_.sync_dir(path_) ? Status::OK() : no_power(); }

 private:
  CrashDisk& disk_;
  const std::string path_;
};

class CrashEnv : public rocksdb::EnvWrapper {
 public:
  explicit CrashEnv(CrashDisk& disk)
      : rocksdb::EnvWrapper(rocksdb::Env::Default()), disk_(disk) {}
  const char* Name() const override { return "plimsoll.CrashEnv"; }

  Status NewWritableFile(const std::string& name, std::unique_ptr<WritableFile>* result,
                         const rocksdb::EnvOptions& options) override {
    CrashDisk::FileRef file;
    if (!disk_.create(name, file)) return no_power();
    const Status s = EnvWrapper::NewWritableFile(name, result, options);
    if (s.ok()) wrap(*result, std::move(file));
    return s;
  }
  Status ReuseWritableFile(const std::string& name, const std::string& old_name,
                           std::unique_ptr<WritableFile>* result,
                           const rocksdb::EnvOptions& options) override {
    if (!disk_.rename(old_name, name)) return no_power();
    const Status s = EnvWrapper::ReuseWritableFile(name, old_name, result, options);
    if (s.ok()) wrap(*result, disk_.open(name));
    return s;
  }
  Status RenameFile(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to) ? EnvWrapper::RenameFile(from, to) : no_power();
  }
  Status DeleteFile(const std::string& name) override {
    return disk_.remove(name) ? EnvWrapper::DeleteFile(name) : no_power();
  }
  Status NewDirectory(const std::string& name,
                      std::unique_ptr<rocksdb::Directory>* result) override {
    *result = std::make_unique<CrashDirectory>(disk_, name);
    return Status::OK();
  }

 private:
  void wrap(std::unique_ptr<WritableFile>& file, CrashDisk::FileRef tracked) {
    file = std::make_unique<CrashFile>(std::move(file), disk_, std::move(tracked));
  }
  CrashDisk& disk_;
};

}  // namespace

std::shared_ptr<rocksdb::Env> make_crash_env(CrashDisk& disk) {
  return std::make_shared<CrashEnv>(disk);
}

}  // namespace plimsoll::real
