// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/rocks_env.h"

#include <thread>

namespace plimsoll::real {

namespace {

using rocksdb::Slice;
using rocksdb::Status;
using rocksdb::WritableFile;

/// What a new file or name may take.
constexpr uint64_t kEntry = 4096;

template <class F>
Status patiently(Ballast& ballast, uint64_t bytes, F attempt) {
  for (;;) {
    const Status s = attempt();
    if (!s.IsNoSpace()) return s;
    if (ballast.release(bytes)) continue;
    if (!ballast.patient()) return s;
    std::this_thread::sleep_for(Ballast::kRetry);
  }
}

/// Appends at offsets of its own, so that what was written in part is written again in its place.
class PatientFile : public rocksdb::WritableFileWrapper {
 public:
  PatientFile(std::unique_ptr<WritableFile> file, Ballast& ballast)
      : rocksdb::WritableFileWrapper(file.get()), file_(std::move(file)), ballast_(ballast) {}

  Status Append(const Slice& data) override {
    const Status s = PositionedAppend(data, end_);
    if (s.ok()) end_ += data.size();
    return s;
  }
  Status Append(const Slice& data, const rocksdb::DataVerificationInfo&) override {
    return Append(data);
  }
  Status PositionedAppend(const Slice& data, uint64_t offset) override {
    auto attempt = [&] { return file_->PositionedAppend(data, offset); };
    return patiently(ballast_, data.size(), attempt);
  }
  Status PositionedAppend(const Slice& data, uint64_t offset,
                          const rocksdb::DataVerificationInfo&) override {
    return PositionedAppend(data, offset);
  }
  Status Sync() override {
    return patiently(ballast_, kEntry, [this] { return file_->Sync(); });
  }
  Status Fsync() override {
    return patiently(ballast_, kEntry, [this] { return file_->Fsync(); });
  }

 private:
  const std::unique_ptr<WritableFile> file_;
  Ballast& ballast_;
  uint64_t end_ = 0;
};

void make_patient(std::unique_ptr<WritableFile>& file, Ballast& ballast) {
  file = std::make_unique<PatientFile>(std::move(file), ballast);
}

}  // namespace

Status RocksEnv::NewWritableFile(const std::string& name, std::unique_ptr<WritableFile>* result,
                                 const rocksdb::EnvOptions& options) {
  if (!ballast_) return EnvWrapper::NewWritableFile(name, result, options);
  auto attempt = [&] { return EnvWrapper::NewWritableFile(name, result, options); };
  const Status s = patiently(*ballast_, kEntry, attempt);
  if (s.ok()) make_patient(*result, *ballast_);
  return s;
}

Status RocksEnv::ReuseWritableFile(const std::string& name, const std::string& old_name,
                                   std::unique_ptr<WritableFile>* result,
                                   const rocksdb::EnvOptions& options) {
  const Status s = EnvWrapper::ReuseWritableFile(name, old_name, result, options);
  if (s.ok() && ballast_) make_patient(*result, *ballast_);
  return s;
}

Status RocksEnv::RenameFile(const std::string& from, const std::string& to) {
  if (!ballast_) return EnvWrapper::RenameFile(from, to);
  return patiently(*ballast_, kEntry, [&] { return EnvWrapper::RenameFile(from, to); });
}

}  // namespace plimsoll::real
